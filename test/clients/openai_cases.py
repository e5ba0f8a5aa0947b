"""The openai package as a Python application uses it. Prints what came of each case as one JSON object.

openai_cases.py BASE_URL CA.pem CERT.pem KEY.pem
"""
import json
import ssl
import sys

import openai

base_url, ca, cert, key = sys.argv[1:5]
HELLO = [{"role": "user", "content": "hello"}]


def client(with_certificate: bool = True, retries: int = 0) -> openai.OpenAI:
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False  # a sidecar is known by its SPIFFE ID; the chain is still checked
    if with_certificate:
        context.load_cert_chain(cert, key)
    http = openai.DefaultHttpxClient(verify=context)
    return openai.OpenAI(base_url=base_url, api_key="unused", max_retries=retries, http_client=http)


def plain():
    answer = client().chat.completions.create(model="tiny", messages=HELLO)
    return {"text": answer.choices[0].message.content, "tokens": answer.usage.completion_tokens}


def streamed():
    stream = client().chat.completions.create(model="tiny", messages=HELLO, stream=True)
    return {"text": "".join(chunk.choices[0].delta.content or "" for chunk in stream)}


def broken_stream():
    text = ""
    try:
        for chunk in client().chat.completions.create(model="broken-stream", messages=HELLO, stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return {"raised": type(error).__name__, "code": error.code, "message": error.message, "text": text}
    return {"raised": None, "text": text}


def chat(model: str, **options):
    return lambda: client(**options).chat.completions.create(model=model, messages=HELLO).model


CASES = {
    "plain": plain,
    "streamed": streamed,
    "broken stream": broken_stream,
    "denied": chat("forbidden-model", retries=2),
    "no rule": chat("unheard-of"),
    "no certificate": chat("tiny", with_certificate=False),
    "unknown path": lambda: client().post("/slots/0", body={}, cast_to=object),
    "unknown parameter": lambda: client().chat.completions.create(model="tiny", messages=HELLO, extra_body={"frobnicate": 1}),
    "engine down": chat("dead"),
    "models": lambda: [model.id for model in client().models.list().data],
}


def outcome(case):
    try:
        return {"value": case()}
    except openai.APIStatusError as error:
        return {
            "raised": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "message": error.message,
            "request_id": error.request_id,
        }
    except openai.OpenAIError as error:
        return {"raised": type(error).__name__, "message": str(error)}


print(json.dumps({name: outcome(case) for name, case in CASES.items()}))
