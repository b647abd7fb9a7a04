"""Notes in a Spark DataFrame: what a Spark job of your own calls. It needs the extra `spark`, or a cluster that has Spark.

    import medtext
    medtext.spark.extract(spark.read.parquet("notes"), text="text", id="id").write.parquet("records")

How to bring medtext to a cluster, and which of Spark's settings matter, is in docs/spark.md.
"""

from medtext.engines.spark import extract

__all__ = ["extract"]
