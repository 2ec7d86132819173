"""A stand-in for a model that sees: it tells how large a PNG is."""

import os
import struct

from maregister import TYPE_FILEPATH, task


@task(
    name="image_caption",
    description="为输入图像生成描述性文本",
    input_parameters={"image": {"type": TYPE_FILEPATH}},
    output_parameters={"caption": {"type": "string"}},
    task_type="gpu",
    gpu_mem=4096,
    model_name="llava-v1.6",
)
def image_caption(image: str) -> dict:
    with open(image, "rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])
    return {"caption": f"a picture of {width} x {height} pixels, as {os.environ['MAZE_MODEL_NAME']} would see it"}
