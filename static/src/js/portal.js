import { startCopying } from "./copy.js";
import { startCountdown } from "./countdown.js";
import { startDialling } from "./dialling.js";
import { startExporting } from "./exporting.js";
import { startFormats } from "./formats.js";
import { startKeyboard } from "./keyboard.js";
import { startList } from "./list.js";
import { startMenus } from "./menus.js";
import { startPalette } from "./palette.js";
import { startRowActs } from "./row_acts.js";
import { forgetSelection, startSelection } from "./selection.js";
import { startSigningOut } from "./signing_out.js";
import { startThemeChoice } from "./theme_choice.js";
import { startTypeAhead } from "./type_ahead.js";

startThemeChoice();
startCopying();
startCountdown();
startDialling();
startFormats();
startKeyboard();
startMenus();
startPalette();
startTypeAhead();
startSigningOut();
for (const { dataset } of document.querySelectorAll("[data-used-selection]")) forgetSelection(dataset.usedSelection);
if (document.getElementById("list")) {
  const selection = startSelection();
  startExporting(selection);
  startList(selection);
  startRowActs();
}
