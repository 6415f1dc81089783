// Stands in for Node's `util`: Baileys's decoder wraps `inflate` when it is loaded, and never calls it here.
export const promisify = () => () => {
  throw new Error("nothing is compressed in the bench");
};
