"""Acceptance cases 17 to 19: tasks that take too long, that are to end, and that leave threads."""

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from support import PACKAGE, PATIENCE, Case, parsed

SLEEPS = """
    import asyncio, ctypes, multiprocessing, os, sys, threading, time

    def started():
        print("started", flush=True)

    def sleeps():
        try:
            started()
            time.sleep(60)
        finally:
            print("finally", flush=True)

    async def waits():
        try:
            started()
            await asyncio.sleep(60)
        finally:
            print("finally", flush=True)

    async def computes():
        try:
            started()
            while True:
                await asyncio.sleep(0)
        finally:
            print("finally", flush=True)

    async def blocks():
        try:
            started()
            time.sleep(60)
        finally:
            print("finally", flush=True)

    async def children():
        async def child():
            try:
                started()
                await asyncio.sleep(60)
            finally:
                print("finally", flush=True)
        await asyncio.gather(child())

    def catches():
        while True:
            try:
                started()
                time.sleep(60)
            except BaseException:
                pass

    def returns():
        try:
            started()
            time.sleep(60)
        except BaseException:
            return {}

    def foreign():
        lock = ctypes.CDLL(None).pthread_mutex_lock
        mutex = ctypes.create_string_buffer(64)
        while True:
            try:
                lock(mutex)  # from the second time on, no signal ends that
                started()
            except BaseException:
                pass

    def leaves():
        threading.Thread(target=time.sleep, args=(60,)).start()
        return {"n": 1}

    def work(n):
        time.sleep(60 if n else 0)
        return n

    def pool():
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as workers:
            first = workers.apply_async(work, (0,)).get()
            workers.apply_async(work, (1,))
        time.sleep(0.2)
        return {"n": first}
"""


class Stopping(Case):
    def setUp(self):
        super().setUp()
        self.write("sleep.py", SLEEPS)

    def stopped(self, task, number, **variables):
        """Starts a task, sends it a signal once it runs, and returns how it ended, and after which time."""
        process = self.start(f"sleep:{task}", **variables)
        line = process.stdout.readline()
        began = time.monotonic()
        process.send_signal(number)
        run = self.finish(process)
        run.stdout = line + run.stdout
        return run, time.monotonic() - began

    def test_17_timeout(self):
        for task in ("sleeps", "waits"):
            for timeout in ("0.5", "2", "8", "32"):  # the import counts, too, and may take long on a busy machine
                run = self.run_task(f"sleep:{task}", MAZE_TIMEOUT=timeout)
                self.assertEqual((124, "Timeout"), (run.code, run.kind), run.stderr)
                if run.stdout:
                    break
            self.assertEqual("started\nfinally\n", run.stdout, run.stderr)
            self.assertEqual("Timeout", run.message["error"]["kind"])
        run = self.run_task("sleep:returns", MAZE_TIMEOUT="0.5")
        self.assertEqual((124, "Timeout"), (run.code, run.kind))

    def test_17_the_tasks_own_timeout(self):
        from support import entry

        folder = self.registry({"sleeps": entry("sleep:sleeps", run={"timeout": "500ms"})})
        self.assertEqual(124, self.run_task("sleeps", MAZE_REGISTRY=folder).code)
        self.write("declared.py", """
            import time
            from maregister import task

            @task(name="declared", timeout_seconds=0.5)
            def declared():
                time.sleep(60)
        """)
        self.assertEqual(124, self.run_task("declared:declared").code)

    def test_18_a_signal(self):
        for task in ("sleeps", "waits", "computes", "blocks", "children"):
            for number in (signal.SIGTERM, signal.SIGINT):
                run, _ = self.stopped(task, number)
                self.assertEqual((143, "Terminated", "started\nfinally\n"), (run.code, run.kind, run.stdout), run.stderr)

    def test_18_a_task_that_does_not_end(self):
        for task in ("catches", "foreign"):
            run, took = self.stopped(task, signal.SIGTERM, MAZE_GRACE="1")
            self.assertEqual((143, "Terminated"), (run.code, run.kind), run.stderr)
            self.assertGreaterEqual(took, 0.9)
            self.assertIn("sleep.py", run.stderr)  # the stacks
        run = self.run_task("sleep:catches", MAZE_TIMEOUT="0.2", MAZE_GRACE="0.2")
        self.assertEqual((124, "Timeout"), (run.code, run.kind))

    @unittest.skipUnless(shutil.which("unshare") and os.path.exists("/proc/self/ns/pid"), "no process namespaces here")
    def test_18_as_process_1(self):
        log = os.path.join(self.root, "log")
        open(log, "w").close()
        command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", sys.executable, "-m", "maregister", "run", "sleep:sleeps"]
        process = subprocess.Popen(command, env=self.environ(MAZE_TERMINATION_LOG=log), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if process.stdout.readline() != "started\n":
            self.skipTest("process namespaces are not allowed here: " + process.communicate()[1])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], stdout=subprocess.PIPE, text=True, check=True)
        os.kill(int(children.stdout), signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual("finally\n", stdout, stderr)
        self.assertEqual("Terminated", parsed(log)["error"]["kind"])
        self.assertEqual(143, process.returncode)

    def test_19_threads_that_are_left(self):
        run = self.run_task("sleep:leaves", MAZE_GRACE="0.5")
        self.assertEqual((0, {"n": 1}), (run.code, run.outputs), run.stderr)

    def test_19_signals_to_processes_of_the_task(self):
        run = self.run_task("sleep:pool")  # which sends its workers SIGTERM at the end
        self.assertEqual((0, {"n": 0}), (run.code, run.outputs), run.stderr)


class Process(Case):
    def test_the_package_is_imported_once(self):
        self.write("same.py", "import sys, maregister\n\ndef same():\n    return {'once': sys.modules['maregister'].Retry is maregister.Retry, 'main': sys.modules['__main__'].__file__}\n")
        run = self.run_task("same:same")
        self.assertTrue(run.outputs["once"])
        self.assertTrue(run.outputs["main"].startswith(PACKAGE))
