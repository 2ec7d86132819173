@task(name="no-import")
def f13(): ...


@task
def no_import_bare():
    return {"a": 1}


@tool(retries=3)
def no_import_foreign(): ...
