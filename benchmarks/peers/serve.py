"""A model's graph behind plain libtorch in Python: docs/performance.md says what it does and what it leaves out.

    serve.py FOLDER THREADS     says its port, and serves until its input ends
"""

import os
import pathlib
import socket
import sys
import threading

import orjson
import torch
import uvicorn


class Scorer:
    """Answers as the scoring server does. Looks at nothing that it does not need: a wrong request is an exception."""

    def __init__(self, folder):
        case = orjson.loads((folder / "case.json").read_bytes())
        self.model = torch.jit.load(str(folder / "model.pt")).eval()
        self.task = case["task"]
        # The last row is that of a value which is not known.
        rows = torch.frombuffer(bytearray((folder / "rows.f32").read_bytes()), dtype=torch.float32)
        self.tables = [rows.reshape([-1, case["width"]])]
        self.unknown = len(self.tables[0]) - 1
        keys = torch.frombuffer(bytearray((folder / "keys.i64").read_bytes()), dtype=torch.int64)
        self.fields = [
            (field, {f"v{value}": row for value, row in enumerate(of.tolist())})
            for field, of in zip(case["fields"], keys.reshape([len(case["fields"]), -1]))
        ]
        self.none = [torch.empty(0, dtype=torch.int64)]  # each bag is one row
        self.plain = [torch.empty(0)]

    def score(self, body):
        impressions = orjson.loads(body)["impressions"]
        unknown, fields = self.unknown, self.fields
        rows = []
        for one in impressions:
            features = one["features"]
            rows += [known.get(features.get(name), unknown) for name, known in fields]
        said = self.model.predict(
            self.tables, [torch.tensor(rows)], self.none, self.plain, torch.empty(len(impressions), 0)
        )[0]
        task = self.task
        scores = [
            {"impression_id": str(i), "scores": {task: score[0]}} for i, score in enumerate(said.tolist())
        ]
        return orjson.dumps({"model": "main", "version": "1", "scores": scores})

    async def __call__(self, scope, receive, send):
        body = b""
        more = True
        while more:
            message = await receive()
            body += message["body"]
            more = message.get("more_body", False)
        answer = self.score(body)
        length = str(len(answer)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": answer})


def leave_with_the_asker():
    sys.stdin.read()
    os._exit(0)


def main(folder, threads):
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    scorer = Scorer(pathlib.Path(folder))
    threading.Thread(target=leave_with_the_asker, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(
            scorer, loop="uvloop", http="httptools", interface="asgi3", lifespan="off", log_level="warning",
            access_log=False,
        )
        uvicorn.Server(config).run(sockets=[listening])


main(*sys.argv[1:])
