// Brings the queue to the server: batches by size and time, one request at a time, again after failures. An event leaves
// the queue when the server said that it has it; until then it is sent again under its message id, which counts once.

const BATCH_CHARACTERS = 100000;
const TIMEOUT_MS = 30000;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 300000;

function retryAfterMs(headers) {
  const name = Object.keys(headers || {}).find((key) => key.toLowerCase() === "retry-after");
  return (name && Number(headers[name]) * 1000) || 0;
}

exports.open = function (queue, options, context, onDrop) {
  let timer;
  let sending;
  let waiting = 0; // events since the last request
  let failures = 0;
  let resumeAt = 0;
  let asked = false; // resumeAt is the server's wish
  let stopped = false;

  const mustWait = () => asked && Date.now() < resumeAt;

  function schedule(delayMs) {
    if (stopped || (timer !== undefined && delayMs > 0)) return;
    clearTimeout(timer);
    timer = setTimeout(due, Math.max(delayMs, resumeAt - Date.now()));
  }

  // Timers fire up to a millisecond before Date reaches their time, and Date can be set back: the wait is over all the same.
  function due() {
    resumeAt = 0;
    flush();
  }

  function post(batch) {
    const frame = { writeKey: options.writeKey, sentAt: new Date().toISOString(), context: context() };
    const events = Array.from(batch.values()).join(",");
    const data = JSON.stringify(frame).slice(0, -1) + ',"batch":[' + events + "]}";
    return new Promise((resolve) => {
      wx.request({
        url: options.url.replace(/\/+$/, "") + "/v1/batch",
        method: "POST",
        data,
        header: { "content-type": "application/json" },
        timeout: TIMEOUT_MS,
        success: (answer) => resolve({ status: answer.statusCode, retryMs: retryAfterMs(answer.header) }),
        fail: () => resolve({ status: 0, retryMs: 0 }),
      });
    });
  }

  function waitAfter(askedMs) {
    const backoff = RETRY_MS * Math.pow(2, failures++) * (0.5 + Math.random());
    asked = askedMs > 0;
    resumeAt = Date.now() + Math.min(askedMs || backoff, RETRY_MS_MAX);
    schedule(0);
  }

  function drain() {
    waiting = 0;
    const batch = queue.oldest(options.batchSize, BATCH_CHARACTERS);
    if (stopped || !batch.size) return Promise.resolve();
    return post(batch).then((answer) => {
      const status = answer.status;
      const refused = status === 400 || status === 413 || status === 415;
      if (!refused && !(status >= 200 && status < 300)) return waitAfter(answer.retryMs);
      if (refused) onDrop(batch.size, "the server refused them with " + status);
      queue.remove(Array.from(batch.keys()));
      failures = resumeAt = 0;
      return drain();
    });
  }

  // At once, unless the server asked for time.
  function flush() {
    if (mustWait()) return sending || Promise.resolve();
    clearTimeout(timer);
    timer = undefined;
    if (!sending) {
      const done = () => (sending = undefined);
      sending = drain().then(done, done);
    }
    return sending;
  }

  return {
    schedule,
    flush,
    added: () => schedule(++waiting >= options.batchSize ? 0 : options.flushAfterMs),
    online() {
      if (!asked) resumeAt = 0;
      schedule(0);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
