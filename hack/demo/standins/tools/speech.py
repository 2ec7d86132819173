"""A stand-in for a model that hears: what is said in a recording is its samples, as text."""

import wave

from maregister import TYPE_FILEPATH, task


@task(
    name="speech_to_text",
    description="Transcribes speech from an audio file.",
    input_parameters={"audio_path": {"type": TYPE_FILEPATH}},
    output_parameters={"text": {"type": "string"}},
    task_type="gpu",
    gpu_mem=2048,
)
def stt(audio_path: str) -> dict:
    with wave.open(audio_path) as recording:
        return {"text": recording.readframes(recording.getnframes()).decode()}
