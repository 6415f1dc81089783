// Stands in for Node's `zlib`: nothing is compressed in the bench.
export const inflate = undefined;
