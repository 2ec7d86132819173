from maze.client.maze.decorator import task
from maze.library.tools.definitions import tool


@task(
    name="image_caption",
    description="Says what is on an image.",
    input_parameters={
        "type": "object",
        "properties": {"image": {"type": "filepath"}, "length": {"type": "integer", "default": 20}},
        "required": ["image"],
    },
    output_parameters={"caption": {"type": "string"}},
    task_type="gpu",
    cpu_num=2,
    mem=4096,
    gpu_mem=8192,
    model_name="llava-v1.6",
    backend="vllm",
)
def caption(image, length=20):
    return {"caption": image}


@task(name="least")
def least():
    pass


@task("by_place", "In order.", {"a": {"type": "string"}}, None, "io", 0.5, 1.5, 0, None, "none")
def placed(a):
    pass


@tool(name="a-tool", description="A tool.")
def search(query: str, limit: int = 10) -> str:
    """Not this."""
