from typing import Final

MODEL: Final = "llava" "-v1.6"
GIB = 2 ** 10
SIZE: int = 4 * GIB - (7 // 2) % 5
STRING = {"type": "string"}
GPU = {"cpu": 2, **{"gpu_mem": 2 * GIB}}
NAMES = ["a"] + ["b"]
