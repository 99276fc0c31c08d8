// wx storage under a prefix. A read or write that fails is as if nothing was there.
exports.open = function (prefix) {
  const store = {
    get(name) {
      try {
        return wx.getStorageSync(prefix + name) || "";
      } catch (error) {
        return "";
      }
    },
    // False when there is no room.
    set(name, value) {
      try {
        wx.setStorageSync(prefix + name, value);
        return true;
      } catch (error) {
        return false;
      }
    },
    remove(name) {
      try {
        wx.removeStorageSync(prefix + name);
      } catch (error) {
        // It is found again at the next launch, sent again, and counts once.
      }
    },
    names() {
      try {
        const keys = wx.getStorageInfoSync().keys;
        return keys.filter((key) => key.indexOf(prefix) === 0).map((key) => key.slice(prefix.length));
      } catch (error) {
        return [];
      }
    },
    clear() {
      store.names().forEach(store.remove);
    },
  };
  return store;
};
