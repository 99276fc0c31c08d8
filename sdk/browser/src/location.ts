// Where the visitor is, without what a query may give away.

const CAMPAIGN: { [key: string]: string } = {
  utm_source: "source",
  utm_medium: "medium",
  utm_campaign: "name",
  utm_term: "term",
  utm_content: "content",
};

// Of the query only utm_* and `keep`; of the fragment only a path ("#/cart"), as some routers write it.
export function cleanUrl(text: string, keep: string[]): string {
  try {
    const url = new URL(text, location.href);
    if (!/^https?:$/.test(url.protocol)) return url.protocol; // mailto: and tel: are people
    const kept = [...url.searchParams].filter(([name]) => name.startsWith("utm_") || keep.includes(name));
    return url.origin + pathOf(url) + (kept.length ? "?" + new URLSearchParams(kept) : "");
  } catch {
    return "";
  }
}

export function pathOf(url: URL | Location): string {
  return url.pathname + (/^#!?\//.test(url.hash) ? url.hash.split("?")[0] : "");
}

export function campaign(): { [key: string]: string } | undefined {
  const found: { [key: string]: string } = {};
  new URLSearchParams(location.search).forEach((value, name) => {
    if (CAMPAIGN[name]) found[CAMPAIGN[name]] = value;
  });
  return Object.keys(found).length ? found : undefined;
}
