"""One reader per file format: a file, folder or hub dataset -> a RawTable. Rows are streamed wherever that is possible.

Everything but pictures is read as text, so a code such as 00123 keeps its zeros. What a text means is decided later, in
`catalogue.checks`.
"""
