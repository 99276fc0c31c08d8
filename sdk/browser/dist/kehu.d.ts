import { Kehu } from "./api";
export type { AutoCapture, Consent, Kehu, KehuEvent, Options, Properties, Value } from "./api";
export declare const kehu: Kehu;
export default kehu;
