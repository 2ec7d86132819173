from maze import task


@task(inputs=["image", "n"], outputs=["text", "file"], resources={"cpu": 2, "cpu_mem": 512, "gpu": 1, "gpu_mem": 1024},
      data_types={"n": "int", "file": "file:image", "text": "any"})
def describe(image, n):
    """Describes."""
    return 1


@task(["a"], ["b"])
def short(a):
    return {"b": a}


@task(inputs=[], outputs=[], resources={"cpu": 0, "gpu": 1, "gpu_mem": 0})
def nothing():
    return {}
