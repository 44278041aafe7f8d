#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   fakevault.py PORT
#
# As much of Vault's transit engine as Ceph RGW needs for SSE-S3, on loopback. Only
# the key service is a stand-in: RGW encrypts with the keys it gets. They live in
# memory and end with this process.
import base64
import http.server
import json
import os
import sys

KEYS = {}  # ciphertext -> (key name, context, plaintext)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunked(self):
        data = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return data

    def question(self):
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            data = self.chunked()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(data or b"{}")

    def data_key(self, name, context):
        plain = base64.b64encode(os.urandom(32)).decode()
        cipher = "vault:v1:" + base64.b64encode(os.urandom(44)).decode()
        KEYS[cipher] = (name, context, plain)
        self.answer(200, {"data": {"plaintext": plain, "ciphertext": cipher, "key_version": 1}})

    def decrypt(self, name, context, cipher):
        key = KEYS.get(cipher)
        if not key or key[:2] != (name, context):
            return self.answer(400, {"errors": ["cannot decrypt"]})
        self.answer(200, {"data": {"plaintext": key[2]}})

    def handle_any(self):
        question = self.question()
        # /v1/transit/keys/NAME, /v1/transit/datakey/plaintext/NAME, /v1/transit/decrypt/NAME
        path = self.path.split("?")[0].split("/")
        operation = path[3] if len(path) > 4 else ""
        if operation == "keys":
            self.answer(204)
        elif operation == "datakey":
            self.data_key(path[-1], question.get("context"))
        elif operation == "decrypt":
            self.decrypt(path[-1], question.get("context"), question.get("ciphertext"))
        else:
            self.answer(404, {"errors": []})

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
