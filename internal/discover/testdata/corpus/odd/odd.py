from maze import task
from typing import TypedDict

if (n := 10) > 5:
    print(n)

match n:
    case 10 | 11:
        @task(name="in-match")
        def in_match(): ...
    case {"a": [first, *rest], **others} if first:
        pass
    case _:
        pass

type Pair[T] = tuple[T, T]


@task(name="generic")
def generic[T: (int, str), *Ts, **P](a: int, b: T) -> T: ...


class Box[T]:
    value: T


@task(name="walrus", cpu_num=(cores := 4))
def walrus(): ...


@task(name="pep701", description=f"{'a' + f"{"b"}"}{"c"}")
def pep701(): ...


@task(name="nested-f", description=f"{n!r:>{10}}")
def nested_format(): ...


@(lambda f: f)
@task(name="expression-above")
def expression_above(): ...


@task(name="subscript")
@[print][0]
def subscript(): ...


@task(name="star-annotation")
def star_annotation(a: int, *args: *tuple[int, ...]): ...


async def main():
    async with a as b, c as d:
        return [x async for x in b if await x]

with (
    open("a") as f,
    open("b") as g,
):
    @task(name="in-with")
    def in_with(): ...

try:
    pass
except* ValueError:
    pass

print(*[1], sep="", **{})
lambda *a, k=1, **kw: None
x: int
y = x if x else not x
a @= b
nonsense = ...
global_ = 0xFF_FF + 1e-1_0 + 1_0j
print("@task", b'\xff', rb"\d", Rb"x")


@task(name="form-feed")
def form_feed(): ...
