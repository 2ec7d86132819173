# @task
