"""Tasks that ask a vision model."""

from maze import TYPE_FILEPATH, task

MODEL = "llava-v1.6"


@task(
    name="image_caption",
    description=f"Writes a caption for an image with {MODEL}.",
    input_parameters={"image": {"type": TYPE_FILEPATH}, "max_words": {"type": int, "default": 30}},
    output_parameters={"caption": {"type": str}},
    task_type="gpu",
    gpu_mem=4 * 1024,
    model_name=MODEL,
    backend="vllm",
)
def image_caption(image, max_words=30):
    raise NotImplementedError("asks the model")
