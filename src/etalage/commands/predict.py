"""`etalage predict`: name, categorise and price the products on pictures."""

from rich.table import Column, Table
from rich.text import Text

from etalage.catalogue.pictures import open_picture
from etalage.commands.answers import answer
from etalage.commands.console import console
from etalage.config import PredictConfig, TaskConfig
from etalage.errors import EtalageError
from etalage.evaluate.predictions import Prediction, write_csv, write_predictions
from etalage.models import load_run
from etalage.progress import progress_bar
from etalage.runs import Run
from etalage.task import Task

__all__ = ["predict"]


def predict(config: PredictConfig) -> None:
    """Answer the run's question about each picture, to the terminal or to a file.

    Args:
        config: The run, the picture files, and where to write.

    Raises:
        EtalageError: A picture cannot be read, or training is not done.
    """
    run = Run(config.run)
    trained = run.read_config()
    task, limits = Task(TaskConfig(**trained["task"])), trained["limits"]
    for image in config.images:  # all of them before the first answer, so that hours of work do not end in an error
        try:
            open_picture(image, **limits)
        except ValueError as bad:
            raise EtalageError(f"{image}: {bad}; leave it out or replace it") from bad
    model, processor = load_run(run)
    with progress_bar("predict", len(config.images)) as progress:
        asked = ((task.prompt, open_picture(image, **limits)) for image in config.images)
        answers = answer(config, trained, task, model, processor, asked, progress.advance)
    predictions = [
        Prediction(image.name, image, None, None, text, task.parse_answer(text))
        for image, text in zip(config.images, answers, strict=True)
    ]
    if config.out is None:
        rows = Table(Column("image", overflow="fold"), *(field.name for field in task.fields))
        for p in predictions:
            values = [str(p.values[f.name]) for f in task.fields] if p.values else [f"not an answer: {p.answer}"]
            # As Text: a table would read brackets in answers and file names as markup.
            rows.add_row(*(Text(cell) for cell in (str(p.image), *values)))
        console.print(rows)
    elif config.out.suffix == ".csv":
        write_csv(config.out, task.fields, predictions)
    else:
        write_predictions(config.out, predictions)
