// What stylelint holds the style sheets to: mistakes, not taste.
export default {
  extends: ["stylelint-config-recommended"],
  rules: {
    // The sheets are ordered by what they describe.
    "no-descending-specificity": null,
  },
};
