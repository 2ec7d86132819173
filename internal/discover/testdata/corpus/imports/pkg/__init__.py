from maze.client.maze.decorator import task
