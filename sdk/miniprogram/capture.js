// What happens without a call: the application comes and goes, pages are seen, left and shared. Wraps App, Page and
// Component, so it must run before them.

const CAMPAIGN = { utm_source: "source", utm_medium: "medium", utm_campaign: "name", utm_term: "term", utm_content: "content" };

function runBefore(object, name, hook) {
  const original = object[name];
  object[name] = function () {
    hook.apply(this, arguments);
    return original && original.apply(this, arguments);
  };
}

function runAfterIfThere(object, name, hook) {
  const original = object[name];
  if (typeof original !== "function") return; // having it changes what the page offers
  object[name] = function () {
    const result = original.apply(this, arguments);
    hook.apply(this, arguments);
    return result;
  };
}

function campaignOf(query) {
  const found = {};
  Object.keys(query || {}).forEach((name) => {
    if (CAMPAIGN[name]) found[CAMPAIGN[name]] = String(query[name]);
  });
  return Object.keys(found).length ? found : undefined;
}

const seconds = (since) => Math.round((Date.now() - since) / 100) / 10;

exports.start = function ({ kehu, wanted, keepQuery, moveTo, onHide }) {
  let opened; // when the application came to the front
  let wasOpen = false;
  let campaign;
  let current; // {page, since} of the page in sight
  let previousPath = "";

  // Of the query only utm_* and keepQuery.
  function urlOf(path, query) {
    const kept = Object.keys(query || {}).filter((name) => name.indexOf("utm_") === 0 || keepQuery.indexOf(name) >= 0);
    const text = kept.map((name) => name + "=" + encodeURIComponent(query[name])).join("&");
    return text ? path + "?" + text : path;
  }

  function applicationShown(launch) {
    const given = launch || {};
    campaign = campaignOf(given.query);
    const page = { path: given.path, url: urlOf(given.path || "", given.query), referrer: "" };
    moveTo(campaign ? { page, campaign } : { page });
    opened = Date.now();
    const properties = { from_background: wasOpen, scene: given.scene, path: given.path };
    if (given.referrerInfo && given.referrerInfo.appId) properties.referrer_app_id = given.referrerInfo.appId;
    wasOpen = true;
    if (wanted.launches) kehu.track("Application Opened", properties);
  }

  function applicationHidden() {
    if (wanted.launches) kehu.track("Application Backgrounded", { seconds: seconds(opened) });
    onHide();
  }

  function pageShown(page) {
    const path = page.route || page.__route__ || "";
    current = { page, path, since: Date.now() };
    const where = { path, url: urlOf(path, page.kehuQuery), referrer: previousPath };
    moveTo(campaign ? { page: where, campaign } : { page: where });
    if (wanted.views) kehu.page();
  }

  function pageLeft(page) {
    if (!current || current.page !== page) return;
    const left = { path: current.path, seconds: seconds(current.since) };
    previousPath = current.path;
    current = undefined;
    if (wanted.dwell && left.seconds >= 1) kehu.track("Page Left", left);
  }

  function shared(page, to, from) {
    const properties = { path: page.route || page.__route__ || "", to };
    if (from) properties.from = from;
    kehu.track("Page Shared", properties);
  }

  function wrapPage(methods) {
    runBefore(methods, "onLoad", function (query) {
      this.kehuQuery = query;
    });
    runBefore(methods, "onShow", function () {
      pageShown(this);
    });
    runBefore(methods, "onHide", function () {
      pageLeft(this);
    });
    runBefore(methods, "onUnload", function () {
      pageLeft(this);
    });
    if (!wanted.shares) return;
    runAfterIfThere(methods, "onShareAppMessage", function (given) {
      shared(this, "chat", given && given.from);
    });
    runAfterIfThere(methods, "onShareTimeline", function () {
      shared(this, "moments");
    });
  }

  const originalApp = App, originalPage = Page, originalComponent = typeof Component === "function" && Component;
  App = function (options) {
    runBefore(options, "onShow", applicationShown);
    runBefore(options, "onHide", applicationHidden);
    return originalApp(options);
  };
  Page = function (options) {
    wrapPage(options);
    return originalPage(options);
  };
  if (!originalComponent) return;
  // A page may be made by Component; then it has methods of a page.
  Component = function (options) {
    const methods = options.methods || {};
    if (methods.onLoad || methods.onShow || methods.onReady) wrapPage(methods);
    return originalComponent(options);
  };
};
