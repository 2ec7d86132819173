import sys
from maze import task

if sys.platform == "linux":
    @task(name="in-if")
    def in_if(): ...
elif sys.platform == "win32":
    @task(name="in-elif")
    def in_elif(): ...
else:
    @task(name="in-else")
    def in_else(): ...

try:
    @task(name="in-try")
    def in_try(): ...
except ImportError:
    @task(name="in-except")
    def in_except(): ...
finally:
    @task(name="in-finally")
    def in_finally(): ...

for i in range(3):
    @task(name="in-for")
    def in_for(): ...

if __name__ == "__main__":
    @task(name="in-main")
    def in_main(): ...

if "__main__" == __name__:
    @task(name="in-main-reversed")
    def in_main_reversed(): ...
else:
    @task(name="not-main")
    def not_main(): ...
