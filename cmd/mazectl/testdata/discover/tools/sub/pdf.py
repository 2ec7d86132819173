import maze


@maze.task(name="split_pdf")
def split_pdf(path: str):
    return {"pages": []}


@maze.task(name="split-pdf")
def split_pdf_fast(path: str):
    return {"pages": []}
