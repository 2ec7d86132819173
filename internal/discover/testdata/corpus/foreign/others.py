from airflow.decorators import task as airflow_task
from celery import Celery, shared_task as task
import prefect
import luigi as tool
import airflow.decorators
import unittest.mock as maze

app = Celery()


@task
def of_celery(): ...


@task(name="celery.named")
def of_celery_named(): ...


@app.task(name="an-app")
def of_app(): ...


@prefect.task(name="prefect", description="no")
def of_prefect(): ...


@airflow_task
def of_airflow(): ...


@airflow.decorators.task(resources={})
def of_airflow_too(): ...


@tool.task
def of_luigi(): ...


@maze.task(name="not-this-maze")
def of_mock(): ...
