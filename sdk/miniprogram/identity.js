// Who the visitor is, and in which session.

// wx has no source of random bytes that answers at once; four numbers and the time are enough for an id.
function randomId() {
  let text = "";
  while (text.length < 32) text += Math.random().toString(16).slice(2, 10);
  return text.slice(0, 32);
}

let count = 0;

// Sorts by time, then by the order in which this launch made them.
exports.messageId = function (timeMs) {
  return timeMs.toString(36) + "-" + (1296 + (count++ % 45360)).toString(36) + "-" + randomId();
};

exports.timeOf = (id) => parseInt(id, 36);

exports.open = function (store, sessionMs) {
  let anonymousId = store.get("anonymous_id");
  let userId = store.get("user_id");
  let session = store.get("session").split(" ");

  function remember(name, value) {
    if (value) store.set(name, value);
    else store.remove(name);
    return value;
  }
  const identity = {
    anonymousId: () => anonymousId || (anonymousId = remember("anonymous_id", randomId())),
    userId: () => userId,
    // Another user than the one before is another visitor.
    setUserId(id) {
      if (userId && userId !== id) identity.forget();
      userId = remember("user_id", id);
    },
    // Of an event at this time, which keeps the session alive.
    sessionId(timeMs) {
      const same = session[0] && Math.abs(timeMs - Number(session[1])) < sessionMs;
      session = [same ? session[0] : randomId(), timeMs];
      store.set("session", session.join(" "));
      return session[0];
    },
    forget() {
      anonymousId = remember("anonymous_id", "");
      userId = remember("user_id", "");
      remember("session", "");
      session = [];
    },
  };
  return identity;
};
