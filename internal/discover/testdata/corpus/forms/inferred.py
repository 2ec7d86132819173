from maze import task


@task
def bare(text, n: int = 3):
    """Bare."""
    if not text:
        return {"empty": True}
    return {"text": text, "n": n}


@task(resources={"cpu": 2, "cpu_mem": 256, "gpu_mem": 4096}, data_types={"image": "file", "score": "float"}, max_retries=3)
def typed(image: str):
    return {"score": 0.5, "label": "x"}


@task(task_kind=" IO ", resources={"cpu_num": 0, "gpu_mem": 0, "io_num": 4})
def load(path):
    return {"text": path}


@task(task_kind="gpu", timeout_seconds=3, retry_backoff_seconds=1, retry_on=(ValueError,))
def forced():
    return {"a": 1}
