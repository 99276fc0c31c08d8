// The events that no answer confirmed yet: in memory, and each in the storage under "q" and its message id, so that a
// later launch finds them.
const timeOf = require("./identity").timeOf;

const DAY_MS = 86400000;

exports.open = function (store, bounds, onDrop) {
  const events = new Map(); // name → text, oldest first
  store
    .names()
    .filter((name) => name[0] === "q")
    .sort()
    .forEach((name) => events.set(name, store.get(name)));

  function remove(names) {
    names.forEach((name) => {
      events.delete(name);
      store.remove(name);
    });
  }
  function drop(names, why) {
    if (!names.length) return;
    remove(names);
    onDrop(names.length, why);
  }
  const oldestNames = (count) => Array.from(events.keys()).slice(0, count);

  return {
    remove,
    size: () => events.size,
    add(messageId, text) {
      if (events.size >= bounds.events) drop(oldestNames(events.size + 1 - bounds.events), "the queue is full");
      const name = "q" + messageId;
      if (!store.set(name, text)) {
        drop(oldestNames(10), "the storage is full");
        store.set(name, text);
      }
      events.set(name, text); // in memory at least
    },
    // Up to `count` events and, but for one, up to `characters`.
    oldest(count, characters) {
      const found = new Map();
      const tooOld = Date.now() - bounds.days * DAY_MS;
      drop(Array.from(events.keys()).filter((name) => timeOf(name.slice(1)) < tooOld), "they waited too long");
      let size = 0;
      for (const entry of events) {
        size += entry[1].length;
        if (found.size && (found.size >= count || size > characters)) break;
        found.set(entry[0], entry[1]);
      }
      return found;
    },
  };
};
