export type Value = string | number | boolean | null | undefined | Value[] | {
    [key: string]: Value;
};
export type Properties = {
    [key: string]: Value;
};
/** "pending": a question to the visitor is open. Calls are held in memory; nothing is stored, read or sent.
 *  "denied": calls are ignored, and what was stored is removed. */
export type Consent = "granted" | "denied" | "pending";
export interface AutoCapture {
    /** page calls: the first one, and when the path changes */
    views?: boolean;
    /** on [data-kehu-event], links and buttons */
    clicks?: boolean;
    /** with the texts of links and buttons; off, because a link may be somebody's name */
    clickText?: boolean;
    /** "Page Left", with the seconds for which the page was visible */
    dwell?: boolean;
    /** of [data-kehu-exposure] */
    exposure?: boolean;
}
export interface Options {
    /** of the Kehu server, "https://kehu.example.com" */
    url: string;
    /** of the source */
    writeKey: string;
    /** "granted" */
    consent?: Consent;
    /** true: everything but clickText */
    autoCapture?: boolean | AutoCapture;
    /** query parameters of URLs that are kept, besides utm_* */
    keepQuery?: string[];
    /** may change an event in place or give back another one; false drops it */
    before?: (event: KehuEvent) => KehuEvent | false | void;
    /** ".example.com": one anonymous id for all its hosts, in a cookie */
    cookieDomain?: string;
    /** 30: events that are sent at once */
    batchSize?: number;
    /** 3000: the first event of a batch waits no longer */
    flushAfterMs?: number;
    /** 1000: events kept while the server cannot be reached; then the oldest are dropped */
    queueSize?: number;
    /** 7: older ones are dropped */
    queueDays?: number;
    /** 30 without an event end a session */
    sessionMinutes?: number;
    /** says on the console what is dropped and why */
    debug?: boolean;
}
export interface KehuEvent {
    type: "track" | "page" | "identify" | "group";
    messageId: string;
    timestamp: string;
    anonymousId: string;
    userId?: string;
    event?: string;
    name?: string;
    groupId?: string;
    properties?: Properties;
    traits?: Properties;
    context: Properties;
}
export interface Kehu {
    /** Once per page. Calls before it are held until then. */
    init(options: Options): void;
    track(event: string, properties?: Properties): void;
    page(name?: string, properties?: Properties): void;
    /** Whose visit it is. Without a user id the traits belong to the anonymous visitor. A user id other than the one
     *  before begins with a new anonymous id. */
    identify(userId: string | null, traits?: Properties): void;
    group(groupId: string, traits?: Properties): void;
    /** For sign-out: forgets the user, and begins a new anonymous id and session. */
    reset(): void;
    consent(consent: Consent): void;
    /** Sends what waits; fulfilled when the server has answered or cannot be reached. */
    flush(): Promise<void>;
    /** The anonymous id, while consent is granted. */
    anonymousId(): string | undefined;
}
