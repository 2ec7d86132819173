def task(function=None, **options):
    return function
