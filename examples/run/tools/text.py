from typing import List

from maregister import TYPE_FILEPATH, Retry, task


@task(
    name="split_text",
    description="Splits a text into sentences.",
    output_parameters={"sentences": {"type": "array", "items": {"type": "string"}}},
)
def split_text(text: str):
    return [sentence.strip() for sentence in text.split(".") if sentence.strip()]


@task(
    name="write_report",
    description="Writes sentences to a file, each with its number of words.",
    output_parameters={"report": {"type": TYPE_FILEPATH}, "words": {"type": "integer"}},
)
def write_report(sentences: List[str], title: str = "Report"):
    counts = [len(sentence.split()) for sentence in sentences]
    try:
        with open("report.txt", "w", encoding="utf-8") as file:  # in the node's own folder
            print(title, *(f"{n:3} {sentence}" for n, sentence in zip(counts, sentences)), sep="\n", file=file)
    except BlockingIOError as error:
        raise Retry("the volume is busy") from error
    return {"report": "report.txt", "words": sum(counts)}
