from agentos.scheduler import cpu, gpu
from maze import task
from maze.library.tools.definitions import tool


@task(description="no name")
def no_name(): ...


@tool()
def no_name_tool(): ...


@task(name="")
def empty_name(): ...


@task(name=None)
def none_name(): ...


@task(name="misspelt", descripton="x")
def misspelt(): ...


@task(name="mixed", inputs=["a"])
def mixed(a): ...


@task(name="mixed-too", resources={"cpu": 1})
def mixed_too(): ...


@task(inputs=["a"], task_kind="cpu")
def mixed_kinds(a): ...


@task(task_kind="fpga")
def bad_kind():
    return {}


@task(name="bad-type", task_type="tpu")
def bad_type(): ...


@task(name="gpu-mem-on-cpu", gpu_mem=1024)
def gpu_mem_on_cpu(): ...


@task(name="negative", cpu_num=-1, mem=-5)
def negative(): ...


@task(name="negative-gpu", task_type="gpu", gpu_mem=-1)
def negative_gpu(): ...


@task(name="strings", cpu_num="2", mem=None, model_name=3, description=4)
def strings(): ...


@task(name=5)
def number_name(): ...


@task(resources=[1])
def bad_resources():
    return {"a": 1}


@task(resources={"cpu": 1, "ram": 2})
def odd_resources():
    return {"a": 1}


@task(task_kind="cpu", resources={"gpu_mem": 1024})
def kind_against_memory():
    return {"a": 1}


@task(name="not-json", input_parameters={"a": {"default": b"x"}}, output_parameters={1: {}})
def not_json(a): ...


@task(name="no-schema", input_parameters=["a"], output_parameters=None)
def no_schema(a): ...


@task("a", "b", {}, {}, "cpu", 1, 2, 0, None, "x", "too many")
def too_many(): ...


@task("twice", name="twice-given")
def twice_given(): ...


@cpu(mem=1, gpu_mem=2)
def cpu_with_gpu(): ...


@gpu(1, 2, "m", "b", 5)
def gpu_too_many(): ...


@task(inputs="abc", outputs=[1], data_types=["x"])
def odd_lists(abc): ...


@task(name="zero", cpu_num=0, mem=0)
def zero(): ...
