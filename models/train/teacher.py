"""The teacher: MiniLM-L6 fine-tuned on gold notes; it labels raw notes for the fast model.

    python -m models.train.teacher pretrain --notes notes.jsonl.gz … --base DIR --out DIR
    python -m models.train.teacher train    --gold train.jsonl … --base DIR --out teacher.pt [--dev dev.jsonl …]
    python -m models.train.teacher label    --model teacher.pt --notes notes.jsonl.gz --out silver.npz

Words are medtext's; a word's vector is the mean of its pieces' last layer plus an embedding of its shape (MiniLM's
vocabulary is lower-case). Two heads: BILOU tags, and the traits of the span a word stands in.
"""
