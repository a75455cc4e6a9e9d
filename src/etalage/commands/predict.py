"""`etalage predict`: name, categorise and price the products on pictures."""

from rich.table import Column, Table
from rich.text import Text

from etalage.catalogue.pictures import open_picture
from etalage.config import PredictConfig, TaskConfig
from etalage.console import console, say
from etalage.errors import EtalageError
from etalage.evaluate.predictions import Prediction, write_csv, write_predictions
from etalage.progress import progress_bar
from etalage.runs import Run
from etalage.task import END_TOKEN, Task

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
    run.require_model()
    task, limits = Task(TaskConfig(**trained["task"]), trained.get("choices")), trained["limits"]
    if config.out is not None and not config.out.parent.is_dir():
        raise EtalageError(f"--out {config.out}: there is no folder {config.out.parent}; make it first")
    for image in config.images:  # all of them before the first answer, so that hours of work do not end in an error
        try:
            open_picture(image, **limits)
        except ValueError as bad:
            raise EtalageError(f"{image}: {bad}; leave it out or replace it") from bad
    # Not before all else is checked, as torch takes seconds to import.
    from etalage.commands.answers import answer, max_new_tokens
    from etalage.models import load_run

    model, processor = load_run(run)
    with progress_bar("predict", len(config.images)) as progress:
        asked = ((task.prompt, open_picture(image, **limits)) for image in config.images)
        answers = answer(config, trained, task, model, processor, asked, progress.advance)
    predictions = [
        Prediction(
            *(image.name, image, None, None, text.removesuffix(END_TOKEN)),
            *(task.parse_answer(text), task.find_problem(text)),
        )
        for image, text in zip(config.images, answers, strict=True)
    ]
    if config.out is None:
        rows = Table(*(Column(name, overflow="fold") for name in ("image", *(field.name for field in task.fields))))
        for p in predictions:
            words = "cut" if p.problem == "cut" else "not an answer"
            values = [str(p.values[f.name]) for f in task.fields] if p.values else [f"{words}: {p.answer}"]
            # As Text: a table would read brackets in answers and file names as markup.
            rows.add_row(*(Text(cell) for cell in (str(p.image), *values)))
        console.print(rows)
    elif config.out.suffix == ".csv":
        write_csv(config.out, task.fields, predictions)
    else:
        write_predictions(config.out, predictions)
    problems = [p.problem for p in predictions]
    if num_cut := problems.count("cut"):
        limit = max_new_tokens(config, trained)
        say(f"cut: {num_cut} of {len(problems)} answers had no end after {limit} tokens; raise --max-new-tokens")
    if num_unparsable := problems.count("unparsable"):
        say(f"unparsable: {num_unparsable} of {len(problems)} answers do not follow {task.config.answer!r}")
