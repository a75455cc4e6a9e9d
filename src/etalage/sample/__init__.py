"""Sample catalogues: tables in the Burberry schema whose pictures, titles and prices follow stated laws."""
