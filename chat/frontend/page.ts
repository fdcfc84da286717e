/** The chat page's script: its style and its elements. */

import "./styles/page.css";
import "../../inference/frontend/elements/model-offer.ts";
import "./elements/source-card.ts";
import "./elements/chat-page.ts";
