// The digests that a deployment is closed with. A service that is open to all must be asked for.
const deploys = ["deploy", "package"].some(command => process.argv.includes(command));

module.exports.apiKeys = async ({resolveVariable}) => {
  const keys = process.env.SEGUE_API_KEYS || "";
  if (deploys && !keys && String(await resolveVariable("param:public")) !== "true")
    throw new Error(
      "SEGUE_API_KEYS is empty: make a key with `segue key` and export its digest, or deploy with --public (osls: --param public=true)");
  return keys;
};
