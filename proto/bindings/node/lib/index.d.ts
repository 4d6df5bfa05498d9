export * from "./coprocess_common";
export * from "./coprocess_mini_request_object";
export * from "./coprocess_object";
export * from "./coprocess_response_object";
export * from "./coprocess_return_overrides";
export * from "./coprocess_session_state";
