// An OpenID provider that is not ours: oidc-provider from npm, with its own pages for sign-in and consent. It accepts
// any name with any password. Names are not in its ID tokens; UserInfo returns them.
//
// node openid-provider.mjs PORT REDIRECT_URI CLIENT_ID CLIENT_SECRET
import Provider from "oidc-provider";

const [port, redirect, client_id, client_secret] = process.argv.slice(2);
const person = (name) => ({ accountId: name, claims: () => ({ sub: `number-of-${name}`, preferred_username: name }) });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id, client_secret, redirect_uris: [redirect] }],
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  findAccount: (_, name) => person(name),
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log(`OpenID provider on port ${port}`));
