from maze import task


@task(name="split_pdf", mem=4096)
def split_pdf(path: str):
    return {"pages": []}
