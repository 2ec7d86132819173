"""The package as one file, as it is mounted into a Pod."""

import os
import shutil
import subprocess
import sys
import zipapp

from support import PACKAGE, Case

SPAWNS = """
    import multiprocessing

    def work(n):
        return n + 1

    def spawns():
        import asyncio, maregister
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return {"n": pool.apply(work, (1,)), "from": maregister.__file__}
"""


class Zipapp(Case):
    def test_it_runs_tasks_of_the_current_folder(self):
        self.write("spawns.py", SPAWNS)
        source = os.path.join(self.root, "source")
        shutil.copytree(os.path.join(PACKAGE, "maregister"), os.path.join(source, "maregister"), ignore=shutil.ignore_patterns("__pycache__"))
        zipapp.create_archive(source, os.path.join(self.root, "maregister.pyz"), main="maregister.__main__:main")
        variables = self.environ(PYTHONPATH=None, MAZE_RESULT=os.path.join(self.root, "result.json"))
        command = [sys.executable, "maregister.pyz", "run", "spawns:spawns", "--print"]
        run = subprocess.run(command, env=variables, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        path = os.path.join(self.root, "maregister.pyz", "maregister", "__init__.py")
        self.assertEqual((0, f'{{"n":2,"from":"{path}"}}\n'), (run.returncode, run.stdout), run.stderr)
