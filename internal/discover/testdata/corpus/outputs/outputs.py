from maze import task

KEY = "key"


@task
def several(a):
    if a:
        return {"x": 1, "y": 2}
    for i in a:
        while i:
            return {"y": 3, "z": 4}
    try:
        return {}
    finally:
        with a:
            return {"w" "v": 5, r"raw": 6, """triple""": 7,}


@task
def inner_returns():
    def helper():
        return 1

    class Local:
        def method(self):
            return 2

    f = lambda: 3
    return {"only": helper() + f()}


@task
def nothing():
    pass


@task
def bare_return(a):
    if a:
        return
    return {"a": 1}


@task
def a_call():
    return dict(a=1)


@task
def a_name():
    result = {"a": 1}
    return result


@task
def a_key():
    return {KEY: 1}


@task
def spread():
    return {**{"a": 1}, "b": 2}


@task
def number_key():
    return {1: 2}


@task
def f_key():
    return {f"a": 2}


@task
def conditional(a):
    return {"a": 1} if a else {"b": 2}


@task
def comprehension(a):
    return {k: 1 for k in a}


@task
def parentheses():
    return ({"a": 1})


@task
def generator():
    yield {"a": 1}


@task
def documented() -> dict:
    """Returns."""
    return {"a": {"b": 1}, 'c': [{"d": 2}]}
