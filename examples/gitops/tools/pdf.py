"""Tasks that work on PDF files. Nothing here is imported to find them: pypdf need not be installed."""

import pypdf
from maze import task


@task(resources={"cpu": 1, "cpu_mem": 512})
def split_pdf(pdf: str, pages_per_file: int = 1):
    """Splits a PDF into files of a few pages each."""
    reader = pypdf.PdfReader(pdf)
    parts = []
    for first in range(0, len(reader.pages), pages_per_file):
        writer = pypdf.PdfWriter()
        for page in reader.pages[first : first + pages_per_file]:
            writer.add_page(page)
        parts.append(f"{pdf}.{len(parts)}.pdf")
        writer.write(parts[-1])
    return {"parts": parts}
