/** A button that copies the address of what is shown, for other people. */

import {shared} from "../core/address.js";
import {absolute} from "../core/requests.js";
import {now} from "../core/store.js";
import {copyButton} from "./copy.js";

/** Where others see what is shown here, in a form that previews can read if there is one. */
export const link = () => absolute(shared(now()));

/** The button. */
export const linkButton = () => copyButton("Copy link", link, {title: "The address of what is shown", "data-key": "link"});
