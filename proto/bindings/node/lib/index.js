"use strict";
var __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    var desc = Object.getOwnPropertyDescriptor(m, k);
    if (!desc || ("get" in desc ? !m.__esModule : desc.writable || desc.configurable)) {
      desc = { enumerable: true, get: function() { return m[k]; } };
    }
    Object.defineProperty(o, k2, desc);
}) : (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    o[k2] = m[k];
}));
var __exportStar = (this && this.__exportStar) || function(m, exports) {
    for (var p in m) if (p !== "default" && !Object.prototype.hasOwnProperty.call(exports, p)) __createBinding(exports, m, p);
};
Object.defineProperty(exports, "__esModule", { value: true });
// Every message, enum and service of the coprocess contract.
__exportStar(require("./coprocess_common"), exports);
__exportStar(require("./coprocess_mini_request_object"), exports);
__exportStar(require("./coprocess_object"), exports);
__exportStar(require("./coprocess_response_object"), exports);
__exportStar(require("./coprocess_return_overrides"), exports);
__exportStar(require("./coprocess_session_state"), exports);
__exportStar(require("./grapnel_facts"), exports);
__exportStar(require("./grapnel_session"), exports);
__exportStar(require("./grapnel_stream"), exports);
__exportStar(require("./grapnel_values"), exports);
