"""From the graph to tables: versions as folders of Parquet, images and a card."""
