from agentos.scheduler import cpu, gpu, io


@cpu(cpu_num=4, mem=512)
def resize(image: str):
    """Resizes."""


@cpu()
def plain(): ...


@io(mem=0)
def fetch(url): ...


@gpu(gpu_mem=2048, model_name="whisper")
def transcribe(audio: str, *, language: str = "zh"): ...


@gpu(0, 0)
def any_gpu(): ...
