// Attached for good, as a password manager would be; answers every request
// with an error that nobody else gives.
const no = { name: "ConstraintError", message: "another extension" };
const proxy = chrome.webAuthenticationProxy;
proxy.attach();
proxy.onGetRequest.addListener(({ requestId }) => proxy.completeGetRequest({ requestId, error: no }));
proxy.onCreateRequest.addListener(({ requestId }) => proxy.completeCreateRequest({ requestId, error: no }));
