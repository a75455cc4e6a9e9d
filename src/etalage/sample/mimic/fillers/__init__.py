"""What fills the columns of a new row: one small law per column, learned by `learners`, drawn from here."""
