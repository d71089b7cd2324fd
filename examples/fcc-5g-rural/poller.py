import os, sys, time, urllib.error, urllib.request  # Python 3.8 and later, nothing to install

url = os.environ["HMS_URL"] + "/api/policies/fcc-5g-rural-power?channel=prod"
headers = {"Authorization": "Bearer " + os.environ["HMS_TOKEN"]}
while True:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            print("now in force:", answer.read().decode(), flush=True)
            headers["If-None-Match"] = answer.headers["ETag"]
    except urllib.error.HTTPError as error:
        if error.code != 304:  # 304: what we have is what is in force
            print("refused:", error.code, error.read().decode(), file=sys.stderr, flush=True)
    except OSError as error:
        print("no answer, the last rule stays:", error, file=sys.stderr, flush=True)
    time.sleep(float(os.environ.get("POLL_SECONDS", "5")))
