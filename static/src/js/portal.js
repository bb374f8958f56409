import { startCopying } from "./copy.js";
import { startCountdown } from "./countdown.js";
import { startDialling } from "./dialling.js";
import { startExporting } from "./exporting.js";
import { startKeyboard } from "./keyboard.js";
import { startList } from "./list.js";
import { startSelection } from "./selection.js";
import { startThemeChoice } from "./theme_choice.js";
import { startTypeAhead } from "./type_ahead.js";

startThemeChoice();
startCopying();
startCountdown();
startDialling();
startKeyboard();
startTypeAhead();
if (document.getElementById("list")) {
  const selection = startSelection();
  startExporting(selection);
  startList(selection);
}
